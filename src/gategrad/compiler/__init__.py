"""From a traced function to one native call."""
