"""Networks that see an X-ray and say where it was taken from: their frames, weights, input and output."""
