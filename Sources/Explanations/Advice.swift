/// The usual cause of a finding, or what a person can do about it.
///
/// A reader of a message reports what it saw, at which octet and in which object. The person who must act on it cannot
/// read messages in that way. Code that turns a finding into a reason (for a verdict, a failure or a detail of an
/// answer) names the advice that fits, and the words are added here.
public enum Advice: Sendable, Hashable, CaseIterable {
    /// A document or a signature that cannot be read.
    case damaged
    /// Content that is not what was signed.
    case changed
    /// A message or document that programs read in different ways.
    case ambiguous
    /// A form or an algorithm that is not known here.
    case unsupported
    /// A detached signature without its file.
    case unpaired
    /// More data than the limit.
    case tooMuch
    /// A certificate whose authority is not trusted.
    case untrusted
    /// A certificate or a timestamp outside its time.
    case outdated
    /// A certificate that was revoked.
    case revoked
    /// A revocation service that does not answer.
    case revocationUnknown
    /// A signer who is not the author.
    case otherSigner
    /// A file of our own people that cannot be signed.
    case ownFile
    /// A message that cannot be signed or read in its present state.
    case ownMessage
    /// An answer of the signing server that is of no use.
    case server

    /// A clause without a full stop.
    public var text: String {
        switch self {
        case .damaged:
            "usually it was cut or changed on its way: ask the sender for it again, packed in an archive such as ZIP"
        case .changed:
            "an attacker or a program on the way, such as a mailing list, changed it: ask the sender for it again"
        case .ambiguous:
            "mail programs would show different things: ask the sender to send it again with a common mail program"
        case .unsupported: "ask the sender to sign with a common format and algorithm"
        case .unpaired:
            "a signature is named after its file, such as a.pdf.p7s for a.pdf: ask the sender for both in one message"
        case .tooMuch: "ask the sender for a simpler one, such as a PDF that is printed anew, or for fewer at a time"
        case .untrusted:
            "if this authority is to be trusted, the administrator adds its certificate at the signing server"
        case .outdated:
            "ask the signer to sign with a valid certificate; if it should be valid, check the signing server's clock"
        case .revoked: "ask the signer by telephone, and rely on nothing signed with this certificate"
        case .revocationUnknown:
            "the administrator checks whether the signing server reaches the services that the certificate names"
        case .otherSigner:
            "ask the sender; a certificate that signs for others is listed as OrganisationSigner in ses.xml"
        case .ownFile: "save the file anew with another program, such as by printing it to PDF, and send it again"
        case .ownMessage: "the program that wrote the message is usually the cause: send it again with another one"
        case .server:
            "see the log of the signing server, and check address, profile and client in ses.xml with `ses check`"
        }
    }

    /// `reason` with the advice behind it, once.
    public func added(to reason: String) -> String {
        Self.allCases.contains { reason.contains($0.text) } ? reason : reason + " (" + text + ")"
    }
}
