"""Published import name of the reward engine: see `dspo.reward`."""
