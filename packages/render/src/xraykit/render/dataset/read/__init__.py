"""Reading a data set back."""
