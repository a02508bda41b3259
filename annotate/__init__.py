"""People and their ratings: store, exports, JSON routes and the rating tab."""
