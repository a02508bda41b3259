"""The multi-head reward model: ratings to pairs, images to embeddings, embeddings to scores."""
