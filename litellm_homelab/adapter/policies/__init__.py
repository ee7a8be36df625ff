"""What is applied to a request, stage by stage: facts in, a rule's answer carried out."""
