import CMSSignatures
import Foundation
import Octets
import TestSupport

/// A timestamp authority of the fixture.
struct FixtureAuthority: TimestampSource {
    let address: String

    func response(to query: OctetString) throws(CryptographyError) -> OctetString {
        do throws(HarnessError) {
            return OctetString(
                try LoopbackHTTP.exchange(address, body: query.array, type: "application/timestamp-query"))
        } catch {
            throw CryptographyError(.failed, error.description)
        }
    }
}

/// The responder and the lists of the fixture, as certificates name them.
struct FixtureRevocation: RevocationSource {
    func fetch(_ url: String) throws(CryptographyError) -> OctetString {
        do throws(HarnessError) { return OctetString(try LoopbackHTTP.exchange(url)) } catch {
            throw CryptographyError(.failed, error.description)
        }
    }

    func post(_ request: OctetString, to url: String) throws(CryptographyError) -> OctetString {
        do throws(HarnessError) {
            return OctetString(
                try LoopbackHTTP.exchange(url, body: request.array, type: "application/ocsp-request"))
        } catch {
            throw CryptographyError(.failed, error.description)
        }
    }
}

extension TrustFixture {
    func signingKey(_ signer: Signer) throws -> SigningKey {
        try PKCS12.load(OctetString(try TestMaterial.octets(pfx(signer))), password: Self.password)
    }

    /// Trusts the root, knows the issuing authority, and asks online.
    func policy(
        _ revocation: TrustPolicy.Revocation = .present, cache: RevocationCache? = nil, asks: Bool = true
    ) throws -> TrustPolicy {
        TrustPolicy(
            anchors: try Certificate.readAll(OctetString(try TestMaterial.octets(root))), revocation: revocation,
            revocationSource: asks ? FixtureRevocation() : nil, revocationCache: cache)
    }

    static var now: Int { Int(Date().timeIntervalSince1970) }
    static let day = 86_400
}
