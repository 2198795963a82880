// Addresses and encoded words are the vocabulary of a header: who imports this target sees them.
@_exported public import MailEnvelope
