"""How well registrations succeed: errors, success rates, capture ranges, rankings, and the published data sets."""
