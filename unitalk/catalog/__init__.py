"""What is published, as data: videos and their categories, results, checkpoints."""
