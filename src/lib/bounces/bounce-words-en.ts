import type { BounceWords } from './bounce-words.ts';

/** What a recipient's failure means, in English. */
export const ENGLISH: BounceWords = {
  'recipient-unknown': {
    cause: 'The address does not exist at its mail server.',
    remedy: 'Correct the address or remove it. Do not send to it again.',
  },
  'domain-unknown': {
    cause: 'The domain of the address does not exist, or does not receive email.',
    remedy: 'Check the spelling of the domain and its MX records.',
  },
  'sender-blocked': {
    cause: 'Exchange has blocked the sender because it sent spam.',
    remedy:
      'An administrator finds the sender under Restricted entities in Microsoft Defender, renews the credential if it leaked, and unblocks the sender.',
  },
  'sender-daily-limit': {
    cause: 'The sender has reached its daily limit of recipients (10,000).',
    remedy: 'Wait 24 hours, or spread the emails over more sender mailboxes.',
  },
  'quota-exceeded': {
    cause:
      'A quota was exceeded: the mailbox of the recipient is full, or the sender has submitted too much.',
    remedy: 'Read the report in the mailbox of the sender to see which. Send the email again later.',
  },
  'too-large': {
    cause: 'The email is larger than the recipient accepts.',
    remedy: 'Send a link instead of the file, or a smaller file.',
  },
  'recipient-receives-too-much': {
    cause: 'The recipient has received more emails in an hour than its mailbox accepts.',
    remedy: 'Send fewer emails to this mailbox, and send this one again in an hour.',
  },
  'server-unreachable': {
    cause: 'The mail server of the recipient did not respond in time, or was busy.',
    remedy: 'Send the email again once. If it fails again, ask the IT department of the recipient.',
  },
  'relay-denied': {
    cause: 'The mail server of the domain does not accept email for this address.',
    remedy:
      'Check the address. If it is right, the IT department of the recipient checks the setup of its domain.',
  },
  'routing-loop': {
    cause: 'The email went round in a loop between mail servers.',
    remedy: 'An administrator checks the forwarding of the recipient and the connectors of Exchange.',
  },
  'encryption-required': {
    cause:
      'No encrypted connection to the mail server of the recipient was possible, and its domain requires one.',
    remedy:
      'The IT department of the recipient checks the MTA-STS policy and the certificate of its mail server.',
  },
  'bare-line-feed': {
    cause: 'The message has a line feed without a carriage return, which the recipient rejects.',
    remedy: 'The application that composes the message must end every line with CRLF.',
  },
  'not-allowed': {
    cause:
      'The sender may not send to this recipient: a rule, a restricted group, or a recipient that takes internal email only.',
    remedy: 'Ask the owner of the recipient address to allow the sender.',
  },
  'authentication-failed': {
    cause: 'The recipient could not verify the domain of the sender (SPF, DKIM or DMARC).',
    remedy: 'An administrator corrects the SPF, DKIM and DMARC records of the domain of the sender.',
  },
  'not-through-the-relay': {
    cause: 'The email was submitted by SMTP without authentication.',
    remedy: 'The relay does not send this way. Find the application that bypasses it.',
  },
  'address-banned': {
    cause: 'The recipient has banned the sender or the IP address that Exchange used.',
    remedy:
      'Ask the recipient to remove the ban. For Microsoft 365, an administrator uses the delist portal or opens a support request.',
  },
  'sender-header-invalid': {
    cause: 'The message has no valid From header.',
    remedy: 'Correct the sender of the email, or the header of the whole message.',
  },
  'blocked-by-recipient': {
    cause: 'The recipient has put the sender on a block list.',
    remedy: 'Ask the recipient by another way to remove the sender from its block list.',
  },
  'forwarding-forbidden': {
    cause: 'The recipient forwards its email to the outside, and its organization does not allow that.',
    remedy: 'Tell the recipient that its forwarding does not work, or use another address.',
  },
  'tenant-block-list': {
    cause:
      'The Tenant Allow/Block List of your own organization has the sender, the recipient or a link of the email.',
    remedy: 'An administrator checks the Tenant Allow/Block List in Microsoft Defender.',
  },
  'tenant-restricted': {
    cause:
      'Exchange does not send email of your tenant to the outside: it sent too much suspicious email, or it is new or a trial.',
    remedy:
      'An administrator checks the tenant for compromised accounts and its licenses, and opens a support request with Microsoft.',
  },
  'domain-not-registered': {
    cause: 'The domain of the sender is not registered in the tenant, or its Exchange server is out of date.',
    remedy: 'An administrator adds the domain to the tenant, or updates the server.',
  },
  'tenant-recipient-limit': {
    cause: 'The tenant has reached its limit of external recipients in 24 hours.',
    remedy: 'Wait: the limit counts the last 24 hours. It grows with the number of licenses.',
  },
  'onmicrosoft-limit': {
    cause:
      'A sender of a domain onmicrosoft.com can reach 100 external recipients in 24 hours, and this limit is reached.',
    remedy: 'Send from a domain of your own.',
  },
  'too-many-of-one-domain': {
    cause: 'The email has too many recipients of one domain.',
    remedy: 'Split the email: at most 200 recipients of a domain.',
  },
  'reputation-delay': {
    cause: 'The recipient does not accept email from the IP address that Exchange used at the moment.',
    remedy: 'Wait, and send less for some hours. Exchange uses other addresses for later emails.',
  },
  'other-permanent': {
    cause: 'The mail server of the recipient rejected the email permanently.',
    remedy: 'Read the report in the mailbox of the sender: it has the words of the mail server.',
  },
  'other-temporary': {
    cause: 'The mail server of the recipient did not accept the email for a time.',
    remedy: 'Send the email again later. If it fails again, read the report in the mailbox of the sender.',
  },
  'no-code': {
    cause: 'The email came back, and the report has no code that says why.',
    remedy: 'Read the report in the mailbox of the sender.',
  },
};
