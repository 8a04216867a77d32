"""A validator of CDS Hooks 2.0 documents: discovery, request, response and feedback of any service or client."""
