import Octets

/// Finds out for every certificate of one path below the anchor whether it was revoked. It uses the sources that the
/// certificates name, configured data, and data that came with the signature; OCSP first, then lists.
struct RevocationCheck {
    private let search: PathSearch
    /// From the certificate to the anchor.
    private let path: [Certificate]
    private let extra: RevocationEvidence
    /// The way to responders; nil if none is asked.
    private let online: OnlineRevocation?
    /// The evidence that was used.
    private(set) var used = RevocationEvidence()

    private var times: SignatureTimes { search.times }
    private var policy: TrustPolicy { search.policy }

    init(search: PathSearch, path: [Certificate], extra: RevocationEvidence, source: OnlineRevocation?) {
        self.search = search
        self.path = path
        self.extra = extra
        online = source
    }

    /// Returns the faults of the path; empty if it is valid.
    mutating func details() throws(CryptographyError) -> [VerificationDetail] {
        var details: [VerificationDetail] = []
        var open: [(place: Int, why: String?)] = []
        // From the anchor down: an issuer's word counts only while the issuer is good.
        for place in stride(from: path.count - 2, through: 0, by: -1) {
            switch try answer(about: place) {
            case .good: break
            case .revoked(let entry): details += detail(entry, place).map { [$0] } ?? []
            case .unknown:
                details.append(
                    VerificationDetail(
                        .revocationStatus, .indeterminate,
                        "the OCSP responder does not know the certificate of \(path[place].subject)"))
            case .none(let why): open.append((place, why))
            }
        }
        details += try listDetails(&open)
        for (place, why) in open {
            if let detail = unknown(place, why) { details.append(detail) }
        }
        return details
    }

    // MARK: Lists

    /// Returns the statements of lists, and removes from `open` the certificates whose status is known afterwards.
    private mutating func listDetails(
        _ open: inout [(place: Int, why: String?)]
    ) throws(CryptographyError) -> [VerificationDetail] {
        var lists = policy.revocationLists
        var listings = try self.listings(lists)
        var fetched: [(address: String, list: RevocationList, place: Int)] = []
        for (index, (place, _)) in open.enumerated() where !listings.isKnown(path[place]) {
            do throws(CryptographyError) {
                guard let found = try online?.list(for: path[place], now: times.verification) else { continue }
                fetched.append((found.address, found.list, place))
            } catch {
                // The responder's reason, where there is one, was the first.
                open[index].why = open[index].why.map { "\($0); \(error.reason)" } ?? error.reason
            }
        }
        if !fetched.isEmpty {
            lists += fetched.map(\.list)
            listings = try self.listings(lists)
            for (address, list, place) in fetched where listings.isKnown(path[place]) {
                online?.remember(list, at: address, now: times.verification)
            }
        }
        var all = [listings]
        if !extra.lists.isEmpty {
            // Beside what a stranger sent, never instead of it: it must not hide what is known otherwise.
            lists += extra.lists
            all.append(try self.listings(lists))
        }
        var details: [VerificationDetail] = []
        for place in path.indices {
            let entries = all.compactMap { $0.entry(of: path[place]) }
            guard let entry = entries.min(by: { $0.start < $1.start }) else { continue }
            if let detail = detail(entry, place) { details.append(detail) }
        }
        open = open.compactMap { place, why in
            if all.contains(where: { $0.isKnown(path[place]) }) {
                used.lists += lists.filter { $0.mayConcern(path[place]) }
                return nil
            }
            return (place, why ?? all.compactMap { $0.trouble(of: path[place]) }.first)
        }
        return details
    }

    /// The findings of OpenSSL in lists.
    private struct Listings {
        /// nil where there is no list at all.
        var control: PathFindings?
        /// For the time of verification, where that is another than the one the path is validated for.
        var late: PathFindings?

        func isKnown(_ certificate: Certificate) -> Bool {
            guard let control, control.isComplete else { return false }
            return control.listings(of: certificate).allSatisfy { if case .revoked = $0 { true } else { false } }
        }

        func entry(of certificate: Certificate) -> RevocationEntry? {
            let all = (control?.listings(of: certificate) ?? []) + (late?.listings(of: certificate) ?? [])
            let entries = all.compactMap { if case .revoked(let entry) = $0 { entry } else { nil } }
            return entries.min { $0.start < $1.start }
        }

        func trouble(of certificate: Certificate) -> String? {
            for listing in control?.listings(of: certificate) ?? [] {
                if case .unreliable(let why) = listing { return why }
            }
            return nil
        }
    }

    private func listings(_ lists: [RevocationList]) throws(CryptographyError) -> Listings {
        guard !lists.isEmpty else { return Listings() }
        guard times.proven != nil else {
            return Listings(control: try search.run(at: times.control, lists: lists).findings)
        }
        // A list drops what has expired; that it does not name such a certificate says nothing then.
        let telling = lists.filter { list in
            guard let issued = list.thisUpdate else { return false }
            return path.dropLast().allSatisfy { link in
                !list.mayConcern(link) || Self.mayKnow(link, issued, since: list.keepsExpiredSince)
            }
        }
        return Listings(
            control: telling.isEmpty ? nil : try search.run(at: times.control, lists: telling).findings,
            late: try search.run(at: times.verification, lists: lists).findings)
    }

    /// Returns true if a list or answer issued at `time` can know of `certificate`.
    private static func mayKnow(_ certificate: Certificate, _ time: Int, since kept: Int?) -> Bool {
        guard let last = certificate.notAfter, time > last else { return true }
        return kept.map { $0 <= last } ?? false
    }

    // MARK: OCSP

    private enum Answer {
        case good
        case revoked(RevocationEntry)
        case unknown
        /// Nothing that could be relied on, and why not.
        case none(String?)

        var isConclusive: Bool { if case .none = self { false } else { true } }
    }

    private mutating func answer(about place: Int) throws(CryptographyError) -> Answer {
        let link = path[place]
        let issuer = path[place + 1]
        let request = try OCSPRequest(about: link, issuer: issuer)
        var why: String?
        // The responder's present statement counts before data that came with the signature, which the sender chose.
        if policy.asksResponders, let online {
            if let response = online.response(to: request, now: times.verification) {
                let answer = try self.answer(in: response, about: link, issuer)
                if answer.isConclusive { return use(response, answer) }
            }
            for address in link.responderAddresses {
                do throws(CryptographyError) {
                    let response = try online.ask(request, at: address, now: times.verification)
                    let answer = try self.answer(in: response, about: link, issuer)
                    if answer.isConclusive {
                        let next = try response.basic().standing(of: link, issuer: issuer)?.nextUpdate
                        online.remember(response, to: request, nextUpdate: next, now: times.verification)
                        return use(response, answer)
                    }
                    if case .none(let trouble) = answer { why = trouble }
                } catch {
                    why = error.reason
                }
            }
        }
        for response in extra.responses {
            let answer = try self.answer(in: response, about: link, issuer)
            if answer.isConclusive { return use(response, answer) }
        }
        return .none(why)
    }

    private mutating func use(_ response: OCSPResponse, _ answer: Answer) -> Answer {
        used.responses.append(response)
        return answer
    }

    /// Returns the statement of `response`, if it can be relied on (RFC 6960 §3.2).
    private func answer(
        in response: OCSPResponse, about link: Certificate, _ issuer: Certificate
    ) throws(CryptographyError) -> Answer {
        let basic = try response.basic()
        guard let standing = basic.standing(of: link, issuer: issuer) else {
            return .none("the OCSP answer is about another certificate")
        }
        guard let signer = try basic.signer(besides: issuer) else {
            return .none("the signature of the OCSP answer does not fit")
        }
        guard AlgorithmStrength.details(ofDigest: basic.digestNID, policy).isEmpty else {
            return .none("the OCSP answer is signed with a weak digest")
        }
        if signer != issuer, let trouble = try Self.trouble(signer, issuer, policy, times, standing.thisUpdate) {
            return .none("the OCSP answer's signer does not speak for the issuer: \(trouble)")
        }
        guard standing.thisUpdate <= times.verification + TrustPolicy.clockSkew else {
            return .none("the OCSP answer lies in the future")
        }
        if case .revoked(let entry) = standing.status, !entry.isSuspension { return .revoked(entry) }
        // Without a next update there is newer information at any time (§2.4): a day is what a clock may be wrong by.
        let end = standing.nextUpdate ?? standing.thisUpdate + 86_400
        guard end + TrustPolicy.clockSkew >= times.control else { return .none("the OCSP answer is out of date") }
        switch standing.status {
        case .revoked(let entry): return .revoked(entry)
        case .unknown: return .unknown
        case .good:
            // "Good" is only said of certificates within their validity (§2.2).
            guard Self.mayKnow(link, standing.thisUpdate, since: standing.archiveCutoff) else {
                return .none("the OCSP answer was made when the certificate had expired")
            }
            return .good
        }
    }

    /// Returns the reason why `signer` may not answer for `issuer` (RFC 6960 §4.2.2.2); nil if it may.
    private static func trouble(
        _ signer: Certificate, _ issuer: Certificate, _ policy: TrustPolicy, _ times: SignatureTimes, _ time: Int
    ) throws(CryptographyError) -> String? {
        // Issued by the issuer itself: no other way leads to this anchor.
        var own = policy
        own.anchors = [issuer]
        own.intermediates = []
        // Policies are required of signers of documents, not of those who answer about revocation.
        own.certificatePolicies = CertificatePolicies()
        own.asksResponders = false
        own.revocation = signer.needsNoCheck || policy.revocation == .none ? .none : .present
        // With a proof of time the answer may be old, and its signer's certificate expired since.
        let then = times.proven == nil ? nil : min(time, times.verification)
        let judgement = try CertificatePath.judge(
            signer, policy: own, times: SignatureTimes(verification: times.verification, proven: then),
            use: .statusAnswers)
        return judgement.details.first?.message
    }

    // MARK: Words

    /// - Returns: nil when the revocation does no harm: it came after what was proven.
    private func detail(_ entry: RevocationEntry, _ place: Int) -> VerificationDetail? {
        if let proven = times.proven, entry.start > proven { return nil }
        if place == 0, let made = times.made, entry.isOrderly, entry.start > made { return nil }
        let subject = path[place].subject
        if entry.isSuspension {
            return VerificationDetail(.revocationStatus, .indeterminate, "the certificate of \(subject) is on hold")
        }
        return VerificationDetail(
            .revocationStatus, .invalid,
            "the certificate of \(subject) was revoked on \(UnixTime.text(entry.date)) (\(entry.words))")
    }

    /// - Returns: nil when it need not be known.
    private func unknown(_ place: Int, _ why: String?) -> VerificationDetail? {
        let link = path[place]
        guard policy.revocation == .require || link.namesRevocationSource else { return nil }
        let reason = why.map { ": \($0)" } ?? ""
        return VerificationDetail(
            .revocationStatus, .indeterminate,
            "it cannot be found out whether the certificate of \(link.subject) was revoked\(reason)",
            cause: link.responderAddresses.isEmpty ? .listUnavailable : .responderUnavailable)
    }
}
