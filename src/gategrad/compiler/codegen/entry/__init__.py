"""The entry: the native function that Python calls, which checks what it is given, runs the program and makes what is returned."""
