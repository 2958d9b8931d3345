#:package MailKit@4.18.2

using System.Net;
using System.Net.Mail;
using System.Text;
using MailKit.Security;
using MimeKit;

var (host, port, password) = (args[0], int.Parse(args[1]), args[2]);

#pragma warning disable SYSLIB0014
ServicePointManager.ServerCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore SYSLIB0014

using (var client = new System.Net.Mail.SmtpClient(host, port) { EnableSsl = true })
{
    client.Credentials = new NetworkCredential("scanner", password);
    using var mail = new MailMessage("payroll@contoso.com", "chan@contoso.com", "Größe und 大小", "A line.\n.\nA dot alone.");
    mail.Bcc.Add("hidden@contoso.com");
    mail.Attachments.Add(new Attachment(new MemoryStream(Encoding.UTF8.GetBytes("System.Net.Mail")), "scan.txt"));
    client.Send(mail);
    Console.WriteLine("SmtpClient: sent");
    try
    {
        using var nobody = new MailMessage("payroll@contoso.com", "x%y@contoso.com", "No", "No");
        client.Send(nobody);
    }
    catch (SmtpException error)
    {
        Console.WriteLine($"SmtpClient: {error.Message}");
    }
}

using (var client = new MailKit.Net.Smtp.SmtpClient())
{
    client.ServerCertificateValidationCallback = (_, _, _, _) => true;
    client.Connect(host, port, SecureSocketOptions.StartTls);
    Console.WriteLine($"MailKit: {client.Capabilities}, at most {client.MaxSize} bytes");
    client.Authenticate("scanner", password);
    var builder = new BodyBuilder { TextBody = "Text", HtmlBody = "<p>Größe</p>" };
    builder.Attachments.Add("scan.pdf", new byte[] { 0, 1, 2, 10, 13, 46, 255 });
    var message = new MimeMessage { Subject = "Größe", Body = builder.ToMessageBody() };
    message.From.Add(new MailboxAddress("Löhne", "payroll@contoso.com"));
    message.To.Add(new MailboxAddress("陳", "chan@contoso.com"));
    message.Bcc.Add(new MailboxAddress("", "hidden@contoso.com"));
    Console.WriteLine($"MailKit: {client.Send(message)}");
    message.From.Clear();
    message.From.Add(new MailboxAddress("", "one@contoso.com"));
    message.From.Add(new MailboxAddress("", "two@contoso.com"));
    message.Sender = new MailboxAddress("", "one@contoso.com");
    try
    {
        client.Send(message);
    }
    catch (MailKit.Net.Smtp.SmtpCommandException error)
    {
        Console.WriteLine($"MailKit: {(int)error.StatusCode} {error.Message}");
    }
    client.Disconnect(true);
}
