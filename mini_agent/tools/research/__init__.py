"""Research tools: Perplexity and Context7."""
