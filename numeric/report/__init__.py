"""The report: one page that shows what is proved and executes the network by itself."""
