import Fuzzing
import Glibc
import Octets
import SESConfiguration

/// Reads the input as `ses.xml` and as `relay.xml`.
@main
enum ConfigurationTarget {
    static func main() {
        let folder = "/dev/shm/fuzz-configuration-\(getpid())"
        guard mkdir(folder, 0o700) == 0 else { fatalError("mkdir \(folder): \(errno)") }
        let path = folder + "/ses.xml"
        Fuzzing.run { octets in
            write(octets, to: path)
            do throws(ConfigurationFaults) { _ = try load(path: path) } catch { check(error.faults) }
            do throws(ConfigurationFaults) { _ = try loadRelay(path: path) } catch { check(error.faults) }
        }
    }

    private static func write(_ octets: OctetString, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { fatalError("open \(path): \(errno)") }
        octets.withUnsafeBytes { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    private static func check(_ faults: [ConfigurationFault]) {
        Fuzzing.require(!faults.isEmpty, "a configuration is refused without a fault")
        for fault in faults {
            let text = fault.description
            Fuzzing.require(
                text.utf8.count < 4_000 && !text.unicodeScalars.contains { $0.value < 0x20 },
                "a fault of more than a line: \(text)")
        }
    }
}
