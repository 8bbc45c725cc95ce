"""What a registration leaves behind: a record, transforms, pictures."""
