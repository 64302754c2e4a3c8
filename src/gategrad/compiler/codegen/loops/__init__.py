"""Loop kernels: what is elementwise, and what folds elements together, in as few passes over memory as it takes."""
