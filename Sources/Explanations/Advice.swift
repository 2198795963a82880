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
    /// A From address that decides on the key and is not one of ours, or cannot be read.
    case keyChoice
    /// An envelope sender that is not the author, where that is required.
    case ownSender
    /// A message without envelope and recipients.
    case recipients
    /// An attachment that cannot be changed, because a signature or an encryption protects it.
    case protected
    /// A signed attachment that the filter of the workflow leaves out.
    case unselected
    /// A key at the signing server with which nobody accepts a signature.
    case signingKey
    /// A profile of the signing server that does not make what is needed.
    case signingProfile
    /// A service for which no address is configured.
    case noAddress
    /// A setting of our own configuration.
    case configuration
    /// A client that `ses-dss` does not know.
    case unknownClient
    /// A profile that `ses-dss` does not grant.
    case unknownProfile
    /// A key that `ses-dss` does not grant.
    case unknownKey

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
            "if it is to be trusted, the administrator adds it at the signing server (ses-dss trust add --from FILE)"
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
        case .keyChoice: "correct From, add its domain as DomainName, or name a key by alias= in ses.xml"
        case .ownSender:
            "send it with the envelope sender that From names, or set SenderMustOwnFrom to false in ses.xml"
        case .recipients: "put it in with `ses drop`, or as a *.eml file whose To, Cc or Bcc names them"
        case .protected: "send the file unprotected in a message of its own, or leave such mail out by the filter"
        case .unselected: "extend the Attachment criterion in ses.xml if it is to be verified"
        case .signingKey: "put a valid certificate for this use at the signing server, or name another key by alias="
        case .signingProfile: "change the profile at the signing server, or name another by profileId= in ses.xml"
        case .noAddress: "add its PrimaryAddress to ses.xml, or take the operation out of the workflow"
        case .configuration: "correct ses.xml, and read it with `ses check`"
        case .unknownClient: "make OriginatorId in ses.xml the id of a Client in dss.xml"
        case .unknownProfile: "compare profileId= in ses.xml with the profiles of the Client in dss.xml"
        case .unknownKey: "compare alias= in ses.xml with the keys of the Client in dss.xml"
        }
    }

    /// `reason` without the advice behind it: the finding alone, for where there is little room.
    public static func removed(from reason: String) -> String {
        allCases.reduce(reason) { $0.replacing(" (" + $1.text + ")", with: "") }
    }

    /// `reason` with the advice behind it, once.
    public func added(to reason: String) -> String {
        Self.allCases.contains { reason.contains($0.text) } ? reason : reason + " (" + text + ")"
    }
}
