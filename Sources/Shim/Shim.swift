/// The program that kernel.json names: it asks relayd for a kernel, and lives and ends as the kernel does.
package enum Shim {}
