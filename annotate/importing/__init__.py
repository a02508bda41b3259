"""Images, prompts and ratings from elsewhere: looked at first, then taken in whole or not at all."""
