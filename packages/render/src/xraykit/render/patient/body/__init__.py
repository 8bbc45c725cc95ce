"""What every part of the body stands on: solids, and later build, joints and frames."""
