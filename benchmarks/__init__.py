"""Speed, memory and model quality, measured beside stock TFX and gradient-boosted trees."""
