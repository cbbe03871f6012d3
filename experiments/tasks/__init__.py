"""What is learnt: data, split and metric of a task, shared by experiments."""
