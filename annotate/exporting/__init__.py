"""Ratings out of the studio in the forms that other programs read; images too, where the form can hold them."""
