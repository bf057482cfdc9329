"""What several nodes share: sockets, images, files and folders."""
