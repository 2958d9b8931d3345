import { isObject } from '../mail/absent.ts';
import type { FieldRules } from './field-rules.ts';

/*
 * The fields of POST /v3/mail/send: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
 */

/** Whether a setting with a field `enable` is on. Whatever is not plainly off is on: who asks for a sandbox must not send. */
export const isOn = (setting: unknown): boolean =>
  isObject(setting) && ![undefined, null, false, ''].includes(setting.enable as never);

const unlessOff = (refused: string): FieldRules[string] => ({
  refused,
  asksNothing: (value) => isObject(value) && !isOn(value),
});

export const REQUEST: FieldRules = {
  personalizations: 'carried',
  from: 'carried',
  reply_to: 'carried',
  reply_to_list: 'carried',
  subject: 'carried',
  content: 'carried',
  attachments: 'carried',
  headers: 'carried',
  categories: 'carried',
  custom_args: 'carried',
  send_at: 'carried',
  mail_settings: 'carried',
  tracking_settings: 'carried',
  template_id: {
    refused:
      'no stored template: render it in the application, and send the result in `subject` and `content`',
  },
  sections: { refused: 'no sections: write their text into `content`, or into `substitutions`' },
  batch_id: {
    refused:
      'no batch id: to cancel an email with `send_at`, call DELETE /api/v1/mail/{id} with its X-Message-Id',
  },
  asm: {
    refused:
      'no unsubscribe group: the relay keeps no list of who has unsubscribed. Leave those out of the recipients, and add the header List-Unsubscribe if you need it',
  },
  ip_pool_name: { refused: 'no IP pool: Exchange Online decides from which address an email goes out' },
};

export const PERSONALIZATION: FieldRules = {
  to: 'carried',
  cc: 'carried',
  bcc: 'carried',
  from: 'carried',
  subject: 'carried',
  headers: 'carried',
  substitutions: 'carried',
  custom_args: 'carried',
  send_at: 'carried',
  dynamic_template_data: {
    refused: 'no data for a template: use `substitutions`, or render the template in the application',
  },
};

export const MAIL_SETTINGS: FieldRules = {
  sandbox_mode: 'carried',
  // The relay suppresses nothing, so that there is nothing to bypass.
  bypass_list_management: 'carried',
  bypass_spam_management: 'carried',
  bypass_bounce_management: 'carried',
  bypass_unsubscribe_management: 'carried',
  footer: unlessOff('no footer: write it into `content`'),
  bcc: unlessOff('no BCC setting: add the address to `bcc` of the personalizations'),
  spam_check: unlessOff('no spam check: Exchange Online checks outgoing email itself'),
};

const TRACKING =
  'tracking that is off: the relay does not change what an email says, and does not count who opens it';

export const TRACKING_SETTINGS: FieldRules = {
  click_tracking: unlessOff(TRACKING),
  open_tracking: unlessOff(TRACKING),
  ganalytics: unlessOff(TRACKING),
  subscription_tracking: unlessOff(
    'no unsubscribe link from the relay: write it into `content`, and add the header List-Unsubscribe',
  ),
};

export const PERSON: FieldRules = { email: 'carried', name: 'carried' };

export const CONTENT: FieldRules = { type: 'carried', value: 'carried' };

export const ATTACHMENT: FieldRules = {
  content: 'carried',
  type: 'carried',
  filename: 'carried',
  disposition: 'carried',
  content_id: 'carried',
};

/** Headers that mean something to SendGrid, or that the email of the relay has a field for which this API lacks. */
export const HEADERS_NOT_CARRIED: ReadonlyMap<string, string> = new Map([
  ['x-smtpapi', 'the fields of the v3 API instead of this header, which is of the SMTP API'],
  [
    'disposition-notification-to',
    'an email without a read receipt: only the own API of the relay can ask for one',
  ],
  ['return-receipt-to', 'an email without a delivery receipt: only the own API of the relay can ask for one'],
]);
