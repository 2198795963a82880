import Composition
import DSSProtocol
import DocumentKinds
import Explanations
import InternetMessage
import Octets
import Workflows

/// Signed attachments that the workflow's filter does not select, beside those that it does.
///
/// The server is not asked about them. But the result is read as one about the whole mail, so each is named in it, and
/// one that is broken, which is seen here, counts.
struct UnselectedAttachments {
    let services: Services
    let message: Message
    let scratch: any OctetCollectorMaking

    /// The most that are looked into; further ones are only counted.
    private static let most = 100

    /// - Parameter attachments: Those that are not selected, signed or not.
    /// - Returns: The verdicts of broken ones, and a remark about each of the others that is signed.
    func judge(_ attachments: [AttachmentFacts]) throws(Failure) -> (broken: [AttachmentVerdict], remarks: [String]) {
        var broken: [AttachmentVerdict] = []
        var remarks: [String] = []
        let signed = attachments.filter { $0.signedReading != nil && $0.protection != .encryptedPart }
        for attachment in signed.prefix(Self.most) {
            var verdict = AttachmentVerdict(
                path: attachment.path, fileName: attachment.fileName, .judged(.notTrusted))
            if let (why, advice) = try fault(of: attachment) {
                verdict.reasons = [advice.added(to: why), Self.reason]
                broken.append(verdict)
            } else {
                remarks.append("\(verdict.subject) is signed and was not checked: \(Self.reason)")
            }
        }
        if signed.count > Self.most {
            remarks.append("\(signed.count - Self.most) more signed attachments were not checked: \(Self.reason)")
        }
        return (broken, remarks)
    }

    private static let reason = Advice.unselected.added(to: "the workflow's Attachment criterion does not select it")

    /// The reason for which its signature cannot be right, whoever made it, and what to do; nil where none is seen.
    private func fault(of attachment: AttachmentFacts) throws(Failure) -> (why: String, Advice)? {
        guard let form = attachment.signedReading, let entity = message.root.entity(at: attachment.path) else {
            return nil
        }
        let format: DocumentFormat
        switch form {
        case .ambiguous(let ways): return ("it can be read in two ways, as \(SignedReading.words(ways))", .ambiguous)
        case .cms: return try faultOfCMS(try AttachmentOctets(of: entity, scratch).content)
        case .document(let found): format = found
        }
        let octets = try AttachmentOctets(of: entity, scratch)
        do throws(Failure) {
            for signature in try services.documents.signatures(in: octets.content, as: format) {
                if case .broken(let why) = signature.integrity {
                    return ("the signature does not match the content: \(why)", .changed)
                }
            }
            return nil
        } catch {
            guard error.permanence == .permanent else { throw error }
            return ("its signatures cannot be read here: \(error.summary)", .damaged)
        }
    }

    /// One that encloses its content; of a detached signature the file would have to be known.
    private func faultOfCMS(_ octets: OctetString) throws(Failure) -> (why: String, Advice)? {
        let signature = CMSArmour.removed(from: octets)
        do throws(Failure) {
            guard try services.inspection.facts(of: signature).enclosesContent,
                case .broken(let why) = try services.inspection.check(signature, content: nil)
            else { return nil }
            return ("the signature does not match the content: \(why)", .changed)
        } catch {
            guard error.permanence == .permanent else { throw error }
            return ("the signature cannot be read here: \(error.summary)", .damaged)
        }
    }
}
