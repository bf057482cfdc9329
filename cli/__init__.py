"""The command line: `brushwork render`, `brushwork train`. The same code as the nodes, without a canvas."""
