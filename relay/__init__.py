"""What was accepted reaches the ledger, once: inbox, jobs, batches, submitter, worker."""
