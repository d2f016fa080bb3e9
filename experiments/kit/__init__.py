"""What every study shares and no week teaches: the contract, running, records, statistics, plots, environments."""
