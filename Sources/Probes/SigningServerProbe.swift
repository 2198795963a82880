import DSSClient
import DSSProtocol
import Explanations
import FoundationEssentials
import HostProcess
package import HouseStatus
import Octets
import Processing
package import SESConfiguration

/// Asks the signing servers for a signature with each profile and key of `ses.xml`, and for a verification.
///
/// A server that refuses is asked again with less, so that it is known which part of the request it does not know. The
/// probes are signed with the real keys; the documents say what they are.
package struct SigningServerProbe: Sendable {
    private let settings: SESSettings
    private let file: String
    /// The offer of the embedded server to our client, if it runs here and may be asked.
    private let offer: ServerOffering?

    /// - Parameter file: The path of `ses.xml`, for findings.
    package init(_ settings: SESSettings, file: String, offer: ServerOffering? = nil) {
        self.settings = settings
        self.file = file
        self.offer = offer
    }

    package func findings() async -> [ProbeFinding] {
        var findings: [ProbeFinding] = []
        let questions = ProbeQuestion.all(of: settings)
        for address in settings.signing?.all ?? [] {
            await findings += signing(at: address, questions)
        }
        for address in settings.verification?.all ?? [] {
            await findings += verifying(at: address)
        }
        return findings
    }

    // MARK: - Signing

    private func signing(at address: String, _ questions: [ProbeQuestion]) async -> [ProbeFinding] {
        let client: DSSClient
        do {
            client = try self.client { $0.signing = .init(primary: address, secondary: nil) }
        } catch {
            return [ProbeFinding(.fault, .signing, "client-certificate", file, error.text)]
        }
        var findings: [ProbeFinding] = []
        var answers: [ProbeRequest: ProbeAnswer] = [:]
        func ask(_ request: ProbeRequest) async -> ProbeAnswer {
            if let known = answers[request] { return known }
            let answer = await sign(request, client)
            answers[request] = answer
            return answer
        }
        // A server is called even if no workflow signs yet.
        for question in questions.isEmpty ? [ProbeQuestion.bare] : questions {
            let request = ProbeRequest(kind: question.kind, profile: question.profile, alias: question.alias)
            switch await ask(request) {
            case .signed: continue
            case .silent(let why):
                findings.append(
                    ProbeFinding(.fault, .signing, "unreachable", file, why, remedy: advice(address)))
                await client.shutDown()
                return findings
            case .misconfigured(let why):
                findings.append(ProbeFinding(.fault, .signing, "refused", file, why, remedy: Self.clientRemedy))
                await client.shutDown()
                return findings
            case .refused(let why):
                // Any answer shows that a server is there.
                guard !questions.isEmpty else { continue }
                findings.append(await explained(question, refusedWith: why, ask))
            }
        }
        await client.shutDown()
        if findings.isEmpty {
            let count = questions.count == 1 ? "1 profile and key" : "\(questions.count) profiles and keys"
            findings.append(
                ProbeFinding(
                    .fine, .signing, "ok", file,
                    "\(address) answers" + (questions.isEmpty ? "" : " and signs with \(count) of ses.xml")))
        }
        return findings
    }

    /// Finds out which part of a refused request is at fault.
    private func explained(
        _ question: ProbeQuestion, refusedWith why: String, _ ask: (ProbeRequest) async -> ProbeAnswer
    ) async -> ProbeFinding {
        let request = ProbeRequest(kind: question.kind, profile: question.profile, alias: question.alias)
        if let alias = question.alias, await ask(request.without(alias: true)).isSigned {
            return finding(
                question, "unknown-key",
                "the key \"\(alias)\" is not known to the server, or not granted to the client \(settings.originatorID)"
                    + known(offer?.keys), remedy: "correct alias=, or put such a key at the server")
        }
        for kind in DocumentKind.allCases where kind != question.kind {
            let other = ProbeRequest(kind: kind, profile: question.profile, alias: nil)
            guard question.profile != nil, await ask(other).isSigned else { continue }
            return finding(
                question, "wrong-format",
                "profile \"\(question.profile ?? "")\" signs \(kind.probeWords), but \(question.operation) of this workflow"
                    + " gives it \(question.kind.probeWords)" + fitting(question.kind),
                remedy: "name another profile by profileId=, or change the filter")
        }
        if let profile = question.profile, await ask(request.without(alias: true, profile: true)).isAnswered,
            await offersNothing(question, ask)
        {
            return finding(
                question, "unknown-profile",
                "profile \"\(profile)\" is not known to the server, or not granted to the client \(settings.originatorID)"
                    + known(offer?.signingProfiles.map(\.id)),
                remedy: "correct profileId=, or make such a profile at the server")
        }
        return finding(
            question, "refused", "the server refuses to sign \(question.kind.probeWords): \(why)",
            remedy: "see the log of the signing server, and compare profile, key and client with what it has")
    }

    /// True if the profile is refused for every kind of document, while the server signs without it.
    private func offersNothing(_ question: ProbeQuestion, _ ask: (ProbeRequest) async -> ProbeAnswer) async -> Bool {
        for kind in DocumentKind.allCases {
            if await ask(ProbeRequest(kind: kind, profile: question.profile, alias: nil)).isSigned { return false }
        }
        for kind in DocumentKind.allCases {
            if await ask(ProbeRequest(kind: kind, profile: nil, alias: nil)).isSigned { return true }
        }
        return false
    }

    private func finding(
        _ question: ProbeQuestion, _ code: String, _ text: String, remedy: String
    ) -> ProbeFinding {
        ProbeFinding(.fault, .signing, code, file, line: question.line, text, remedy: remedy)
    }

    private func known(_ names: [String]?) -> String {
        guard let names, !names.isEmpty else { return "" }
        return "; known there: " + names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
    }

    private func fitting(_ kind: DocumentKind) -> String {
        let formats: Set<String> =
            switch kind {
            case .email: ["smime"]
            case .pdf: ["pdf", "auto"]
            case .xml: ["xml", "auto"]
            case .cms: ["cms", "auto"]
            }
        let fitting = (offer?.signingProfiles ?? []).filter { formats.contains($0.format) }.map(\.id)
        return fitting.isEmpty ? "" : " (the server has \(fitting.joined(separator: ", ")) for that)"
    }

    private static let clientRemedy =
        "correct <OriginatorId> in ses.xml, or make such a client at the server; compare the clocks of both machines"

    private func advice(_ address: String) -> String {
        guard LocalSocketAddress.isLocal(address) else {
            return "start that server, or correct its address in ses.xml"
        }
        return "start it (systemctl start ses-dss), or correct its address in ses.xml"
    }

    // MARK: - Calls

    private static var requestID: String { "SES-" + UUID().uuidString }

    private func client(
        _ choose: (inout DSSClientConfiguration) -> Void
    ) throws(ProgramError) -> DSSClient {
        var configuration = try settings.clientConfiguration()
        (configuration.signing, configuration.verification) = (nil, nil)
        configuration.totalTimeout = min(configuration.totalTimeout, .seconds(30))
        choose(&configuration)
        return DSSClient(configuration)
    }

    private func sign(_ request: ProbeRequest, _ client: DSSClient) async -> ProbeAnswer {
        do {
            _ = try await client.sign(
                SigningOperation(
                    kind: request.kind, document: ProbeDocument.of(request.kind), profile: request.profile,
                    keyAlias: request.alias, attributes: [], originatorID: settings.originatorID,
                    requestID: Self.requestID), answers: MemoryCollecting(limit: 4 << 20))
            return .signed
        } catch {
            let summary = Advice.removed(from: error.summary)
            if error.pointsAtConfiguration { return .misconfigured(summary) }
            return error.permanence == .transient ? .silent(summary) : .refused(summary)
        }
    }

    private func verifying(at address: String) async -> [ProbeFinding] {
        do {
            let client = try self.client { $0.verification = .init(primary: address, secondary: nil) }
            defer { Task { await client.shutDown() } }
            do {
                _ = try await client.verify(
                    VerificationOperation(
                        kind: .email, document: OctetString("Subject: check\r\n\r\nThis is no signed message.\r\n"),
                        signature: nil, originatorID: settings.originatorID, requestID: Self.requestID),
                    answers: MemoryCollecting(limit: 1 << 20))
            } catch {
                // A refusal of the probe is an answer; only what a wrong configuration brings is not.
                if error.pointsAtConfiguration {
                    return [
                        ProbeFinding(
                            .fault, .verifying, "refused", file, Advice.removed(from: error.summary),
                            remedy: Self.clientRemedy)
                    ]
                }
                if error.permanence == .transient {
                    return [
                        ProbeFinding(
                            .fault, .verifying, "unreachable", file, Advice.removed(from: error.summary),
                            remedy: advice(address))
                    ]
                }
            }
            return [ProbeFinding(.fine, .verifying, "ok", file, "\(address) answers")]
        } catch {
            return [ProbeFinding(.fault, .verifying, "client-certificate", file, error.text)]
        }
    }
}

/// A request for a signature of a probe.
private struct ProbeRequest: Hashable {
    let kind: DocumentKind
    let profile: String?
    let alias: String?

    func without(alias: Bool = false, profile: Bool = false) -> ProbeRequest {
        ProbeRequest(kind: kind, profile: profile ? nil : self.profile, alias: alias ? nil : self.alias)
    }
}

private enum ProbeAnswer {
    case signed
    case refused(String)
    case silent(String)
    /// A refusal that the client's name or a clock causes, whatever the document.
    case misconfigured(String)

    var isSigned: Bool { if case .signed = self { true } else { false } }
    var isAnswered: Bool { if case .silent = self { false } else { true } }
}

extension ProbeQuestion {
    /// The question that is asked where no workflow signs.
    fileprivate static let bare = ProbeQuestion(kind: .email, profile: nil, alias: nil, line: 0, operation: "")
}

/// Addresses of this machine.
private enum LocalSocketAddress {
    static func isLocal(_ address: String) -> Bool {
        address.hasPrefix("http://unix:") || address.contains("://127.") || address.contains("://localhost")
            || address.contains("://[::1]")
    }
}
