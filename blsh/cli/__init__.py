"""The command ``blsh VERB``: one module per verb, one verb per rule of the workflow."""
