import type { BounceWords } from './bounce-words.ts';

/** What a recipient's failure means, in Traditional Chinese. */
export const CHINESE: BounceWords = {
  'recipient-unknown': {
    cause: '收件者的郵件伺服器上沒有這個地址。',
    remedy: '請更正或移除這個地址，不要再寄到這個地址。',
  },
  'domain-unknown': {
    cause: '地址的網域（域名）不存在，或不接收郵件。',
    remedy: '請檢查網域的拼字，以及它的 MX 記錄。',
  },
  'sender-blocked': {
    cause: '寄件者曾寄出垃圾郵件，Exchange 已封鎖它。',
    remedy:
      '請系統管理員在 Microsoft Defender 的「受限制的實體」中找到寄件者；憑證若已外洩，先更新憑證，再解除封鎖。',
  },
  'sender-daily-limit': {
    cause: '寄件者已達到每日收件者上限（10,000）。',
    remedy: '請等待 24 小時，或把郵件分散到更多寄件者信箱。',
  },
  'quota-exceeded': {
    cause: '超過配額：收件者的信箱已滿，或寄件者提交了太多郵件。',
    remedy: '請在寄件者的信箱中閱讀退信報告以確認是哪一種，稍後再寄。',
  },
  'too-large': {
    cause: '郵件超過收件者可接受的大小。',
    remedy: '請改寄連結，或較小的檔案。',
  },
  'recipient-receives-too-much': {
    cause: '收件者在一小時內收到的郵件超過信箱可接受的數量。',
    remedy: '請減少寄到這個信箱的郵件，一小時後再寄這一封。',
  },
  'server-unreachable': {
    cause: '收件者的郵件伺服器沒有及時回應，或正在忙碌。',
    remedy: '請再寄一次。如果再次失敗，請詢問收件者的資訊部門。',
  },
  'relay-denied': {
    cause: '該網域的郵件伺服器不接受寄到這個地址的郵件。',
    remedy: '請檢查地址。如果地址正確，請收件者的資訊部門檢查網域的設定。',
  },
  'routing-loop': {
    cause: '郵件在郵件伺服器之間循環。',
    remedy: '請系統管理員檢查收件者的轉寄設定，以及 Exchange 的連接器。',
  },
  'encryption-required': {
    cause: '無法與收件者的郵件伺服器建立加密連線，而該網域要求加密。',
    remedy: '請收件者的資訊部門檢查 MTA-STS 原則，以及郵件伺服器的憑證。',
  },
  'bare-line-feed': {
    cause: '郵件中有只以 LF 結尾的行，收件者拒收這種郵件。',
    remedy: '產生郵件的應用程式必須以 CRLF 結束每一行。',
  },
  'not-allowed': {
    cause: '寄件者不得寄給這位收件者：有規則、受限制的群組，或收件者只接收內部郵件。',
    remedy: '請收件者地址的擁有者允許這個寄件者。',
  },
  'authentication-failed': {
    cause: '收件者無法驗證寄件者的網域（SPF、DKIM 或 DMARC）。',
    remedy: '請系統管理員更正寄件者網域的 SPF、DKIM 與 DMARC 記錄。',
  },
  'not-through-the-relay': {
    cause: '郵件是以未經驗證的 SMTP 提交的。',
    remedy: '轉送服務不會這樣寄送。請找出繞過轉送服務的應用程式。',
  },
  'address-banned': {
    cause: '收件者已封鎖寄件者，或封鎖 Exchange 使用的 IP 位址。',
    remedy: '請收件者解除封鎖。若對方使用 Microsoft 365，請系統管理員使用解除封鎖入口網站，或提出支援要求。',
  },
  'sender-header-invalid': {
    cause: '郵件沒有有效的 From 標頭。',
    remedy: '請更正郵件的寄件者，或完整郵件中的標頭。',
  },
  'blocked-by-recipient': {
    cause: '收件者已把寄件者列入封鎖清單。',
    remedy: '請以其他方式請收件者從封鎖清單移除寄件者。',
  },
  'forwarding-forbidden': {
    cause: '收件者把郵件轉寄到外部，而其組織不允許這樣做。',
    remedy: '請告知收件者轉寄無法使用，或改用其他地址。',
  },
  'tenant-block-list': {
    cause: '貴機構自己的租用戶允許/封鎖清單中有這個寄件者、收件者或郵件中的連結。',
    remedy: '請系統管理員在 Microsoft Defender 中檢查租用戶允許/封鎖清單。',
  },
  'tenant-restricted': {
    cause: 'Exchange 不再把貴租用戶的郵件寄往外部：可疑郵件過多，或租用戶是新的或試用版。',
    remedy: '請系統管理員檢查租用戶是否有帳戶遭入侵，檢查授權，並向 Microsoft 提出支援要求。',
  },
  'domain-not-registered': {
    cause: '寄件者的網域沒有在租用戶中註冊，或 Exchange 伺服器版本過舊。',
    remedy: '請系統管理員把網域加入租用戶，或更新伺服器。',
  },
  'tenant-recipient-limit': {
    cause: '租用戶在 24 小時內的外部收件者數量已達上限。',
    remedy: '請等待：上限計算最近 24 小時，並隨授權數量增加。',
  },
  'onmicrosoft-limit': {
    cause: 'onmicrosoft.com 網域的寄件者在 24 小時內最多寄給 100 位外部收件者，現已達到上限。',
    remedy: '請改用貴機構自己的網域寄送。',
  },
  'too-many-of-one-domain': {
    cause: '郵件中同一網域的收件者太多。',
    remedy: '請分開寄送：每封郵件同一網域最多 200 位收件者。',
  },
  'reputation-delay': {
    cause: '收件者目前不接受來自 Exchange 所用 IP 位址的郵件。',
    remedy: '請等待，並在幾小時內減少寄送。之後的郵件 Exchange 會使用其他位址。',
  },
  'other-permanent': {
    cause: '收件者的郵件伺服器永久拒收了郵件。',
    remedy: '請在寄件者的信箱中閱讀退信報告，其中有郵件伺服器的原文。',
  },
  'other-temporary': {
    cause: '收件者的郵件伺服器暫時不接受郵件。',
    remedy: '請稍後再寄。如果再次失敗，請在寄件者的信箱中閱讀退信報告。',
  },
  'no-code': {
    cause: '郵件被退回，而報告中沒有說明原因的代碼。',
    remedy: '請在寄件者的信箱中閱讀退信報告。',
  },
};
