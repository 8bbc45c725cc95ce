"""From starts to the pose that makes X-rays and renderings most alike."""
