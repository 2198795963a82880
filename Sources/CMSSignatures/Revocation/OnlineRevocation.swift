import Octets

extension TrustPolicy {
    /// The way to responders and lists; nil if there is none.
    var online: OnlineRevocation? {
        revocationSource.map { OnlineRevocation(source: $0, cache: revocationCache) }
    }
}

/// Asks for revocation data on behalf of one path, no more often than a path should need. One thread.
final class OnlineRevocation {
    private let source: any RevocationSource
    private let cache: RevocationCache?
    private var questions = 0
    /// The most that is fetched for one path.
    private static let maximumQuestions = 8

    init(source: any RevocationSource, cache: RevocationCache?) {
        self.source = source
        self.cache = cache
    }

    /// A remembered answer.
    func response(to request: OCSPRequest, now: Int) -> OCSPResponse? {
        guard case .response(let response) = cache?.value(.response(request.identifier), now: now) else { return nil }
        return response
    }

    /// Asks a responder.
    func ask(_ request: OCSPRequest, at address: String, now: Int) throws(CryptographyError) -> OCSPResponse {
        let source = source
        let answer = try asking(address, now: now) { () throws(CryptographyError) in
            try source.post(request.der, to: address)
        }
        // A refusal is about this one certificate; the responder may well answer about others.
        return try OCSPResponse(answer)
    }

    func remember(_ response: OCSPResponse, to request: OCSPRequest, nextUpdate: Int?, now: Int) {
        cache?.store(.response(response), for: .response(request.identifier), now: now, nextUpdate: nextUpdate)
    }

    /// The list that `certificate` names; nil when it names none.
    func list(
        for certificate: Certificate, now: Int
    ) throws(CryptographyError) -> (address: String, list: RevocationList)? {
        var trouble: CryptographyError?
        for address in certificate.listAddresses {
            if case .list(let list) = cache?.value(.list(address), now: now) { return (address, list) }
            let source = source
            do throws(CryptographyError) {
                let list = try asking(address, now: now) { () throws(CryptographyError) in
                    try RevocationList.readAll(try source.fetch(address)).first
                }
                if let list { return (address, list) }
            } catch {
                trouble = error
            }
        }
        if let trouble { throw trouble }
        return nil
    }

    func remember(_ list: RevocationList, at address: String, now: Int) {
        cache?.store(.list(list), for: .list(address), now: now, nextUpdate: list.nextUpdate)
    }

    private func asking<Answer>(
        _ address: String, now: Int, _ ask: () throws(CryptographyError) -> Answer
    ) throws(CryptographyError) -> Answer {
        if case .failure(let words) = cache?.value(.failure(address), now: now) {
            throw CryptographyError(.failed, words)
        }
        questions += 1
        guard questions <= Self.maximumQuestions else {
            throw CryptographyError(.failed, "the path names too many sources of revocation data")
        }
        do throws(CryptographyError) { return try ask() } catch {
            cache?.store(.failure(error.reason), for: .failure(address), now: now, nextUpdate: nil)
            throw error
        }
    }
}
