"""What lets tokens attend between trunk and head, one file for each of Table 1's rows."""
