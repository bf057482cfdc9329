"""How fast pictures are painted, and with how much memory."""
