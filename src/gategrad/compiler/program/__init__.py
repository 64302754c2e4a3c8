"""The Program: what a traced function does, as typed values in single assignment."""
