"""The regularization lab's experiments, a topic a file: each a pure function of a training and a few numbers, and all chance from seeds."""
