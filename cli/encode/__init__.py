"""`brushwork encode`."""
