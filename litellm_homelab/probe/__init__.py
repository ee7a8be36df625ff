"""What a backend really does with a request: experiments, and the verdicts that they allow."""
