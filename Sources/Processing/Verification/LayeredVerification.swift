import Composition
import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Workflows

/// Verifies the signed attachments of a message in all its layers, those within an opaque S/MIME object and those
/// beside it.
struct LayeredVerification {
    let services: Services
    let layers: MessageLayers
    let scratch: any OctetCollectorMaking

    /// The most signed attachments of one message: each is a call to the server.
    static let most = 100

    /// - Parameters:
    ///   - selected: Those that the workflow is for.
    ///   - all: All of the message, among which detached signatures find their files.
    func verify(
        _ selected: [AttachmentFacts], among all: [AttachmentFacts]
    ) async throws(Failure) -> AttachmentVerdicts {
        var work: [(AttachmentVerification, chosen: [AttachmentFacts], all: [AttachmentFacts])] = []
        for (layer, message) in layers.all.enumerated() {
            let verification = AttachmentVerification(services: services, message: message, scratch: scratch)
            let own = all.filter { $0.layer == layer }
            let chosen = verification.withTheirSignatures(selected.filter { $0.layer == layer }, among: own)
            work.append((verification, chosen, own))
        }
        let signed = work.reduce(0) { $0 + $1.chosen.count { $0.signedReading != nil } }
        guard signed <= Self.most else {
            throw Failure(
                .permanent, "the message has \(signed) signed attachments, of which at most \(Self.most) are verified",
                advice: .tooMuch)
        }
        var verdicts = AttachmentVerdicts([], remarks: remarks)
        if case .encrypted = SMIMEForm.of(layers.message.root) { verdicts.isMailEncrypted = true }
        var opened: [SharedNames.Place] = []
        for (layer, (verification, chosen, own)) in work.enumerated() {
            let judged = try await verification.verify(chosen, among: own)
            let doubts = judged.contains { $0.verdict.verdict != nil } ? layers.doubts(around: layer) : []
            for (verdict, path) in judged {
                var verdict = verdict
                for doubt in doubts { verdict.lower(to: .notTrusted, doubt, .ambiguous) }
                verdicts.all.append(verdict)
                opened.append(SharedNames.Place(layer: layer, path: path))
            }
            let paths = Set(chosen.map(\.path))
            let rest = try UnselectedAttachments(services: services, message: verification.message, scratch: scratch)
                .judge(own.filter { !paths.contains($0.path) })
            for verdict in rest.broken {
                verdicts.all.append(verdict)
                opened.append(SharedNames.Place(layer: layer, path: verdict.path))
            }
            verdicts.remarks += rest.remarks
        }
        lowerNamesakes(&verdicts, opened)
        return verdicts
    }

    /// Lowers verdicts on names that are shared. A verdict is reported under a name, and another part with that name
    /// and a worse verdict would be taken for the judged one.
    private func lowerNamesakes(_ verdicts: inout AttachmentVerdicts, _ opened: [SharedNames.Place]) {
        let trusted = verdicts.all.indices.filter { verdicts.all[$0].verdict == .trusted }
        guard !trusted.isEmpty else { return }
        let names = SharedNames(of: layers.all, using: services.charsets)
        let vouched = Set(trusted.map { opened[$0] })
        for index in trusted where names.isShared(opened[index], beyond: vouched) {
            verdicts.all[index].lower(
                to: .notTrusted,
                "another part of the message may be shown under its name, and is not signed or not trusted",
                .ambiguous)
        }
    }

    /// The parts that cannot be seen from outside, and those that are too deep within.
    private var remarks: [String] {
        var remarks: [String] = []
        for message in layers.all {
            if message.root.walk(.ownParts).contains(where: { $0.defects.contains(.tooDeep) }) {
                remarks.append("parts that are nested too deeply were not examined")
            }
            switch SMIMEForm.of(message.root) {
            case .encrypted: remarks.append("the message is encrypted and was not checked: SES does not decrypt")
            case .compressed:
                remarks.append("the message is a compressed S/MIME object: attachments in it were not examined")
            case .none, .multipartSigned, .signedData, .certificatesOnly: break
            }
        }
        return (remarks + layers.remarks).each
    }
}
