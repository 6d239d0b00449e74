"""What the authenticity trainer is made of: attacks, channels, the network."""
