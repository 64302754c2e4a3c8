"""What surrounds the machine code: building it, keeping it, calling it, letting it go."""
