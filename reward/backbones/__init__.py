"""The frozen image encoders: a specification such as `openclip:ViT-L-14/TAG` or `pixelstats` → a `Backbone`."""
