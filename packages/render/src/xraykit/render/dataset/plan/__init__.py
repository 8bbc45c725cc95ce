"""What a data set shall hold."""
