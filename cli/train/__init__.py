"""`brushwork train`."""
