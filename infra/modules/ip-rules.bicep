metadata name = 'IP rules'
metadata description = 'Addresses of administrators in the form that the firewalls of storage and vault take.'

@export()
@description('Addresses and ranges without blanks. Storage refuses ranges as small as /31 and /32 (https://learn.microsoft.com/azure/storage/common/storage-network-security), so these become single addresses.')
func toIpRules(ranges string[]) string[] =>
  flatten(map(
    filter(map(ranges, range => trim(range)), range => !empty(range)),
    range =>
      endsWith(range, '/32')
        ? [parseCidr(range).network]
        : endsWith(range, '/31') ? [parseCidr(range).network, parseCidr(range).broadcast] : [range]
  ))
