"""How long Brushwork takes to start."""
