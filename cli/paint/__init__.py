"""`brushwork paint`."""
