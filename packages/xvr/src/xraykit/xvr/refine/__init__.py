"""From a start to the pose that explains the X-ray best."""
