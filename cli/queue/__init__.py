"""`brushwork queue`."""
