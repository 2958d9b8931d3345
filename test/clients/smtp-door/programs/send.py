"""Sends one email with smtplib, as its documentation shows it."""

import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.utils import formatdate

host, port, password, repeats = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])

message = EmailMessage()
message["From"] = "Payroll <payroll@contoso.com>"
message["To"] = "chan@contoso.com"
message["Subject"] = "Größe und 大小"
# Without it, an equal email is a new one once the first got its reply.
message["Date"] = formatdate()
message["Message-ID"] = "<smtplib-1@contoso.com>"
message.set_content("A line.\n.\nA dot alone, and 大小.\n")
message.add_attachment(b"%PDF-1.7\n" + bytes(range(256)), maintype="application", subtype="pdf", filename="scan.pdf")

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE

for _ in range(repeats):
    with smtplib.SMTP(host, port) as server:
        server.starttls(context=context)
        server.login("scanner", password)
        refused = server.send_message(message, to_addrs=["chan@contoso.com", "hidden@contoso.com"])
        print("refused:", refused)
    try:
        with smtplib.SMTP(host, port) as server:
            server.starttls(context=context)
            server.login("scanner", "wrong")
    except smtplib.SMTPAuthenticationError as error:
        print("error:", error.smtp_code, error.smtp_error.decode())
